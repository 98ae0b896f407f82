// The server's certificate: somebody's, or one that it makes for itself and keeps beside the mailboxes.

import { type TlsIdentity, TlsServer } from "../../net/tls.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { OptionValues } from "../options.ts";
import { readText } from "./named_files.ts";

/** How long a certificate of our own lasts, and how long before its end there is a new one. */
const DAYS_MS = 86_400_000;
const LIFE_MS = 365 * DAYS_MS;
const RENEW_MS = 7 * DAYS_MS;

/** What `--tls` and its relatives come to. */
export interface TlsChoice {
  readonly identity: TlsIdentity;
  /** From the first byte (port 465's way), not from STARTTLS on. */
  readonly implicit: boolean;
  /** The certificate's file, for those who want to trust it. */
  readonly certFile: string;
}

/**
 * The certificate that the options say; null for no TLS.
 *
 * @param root where one of our own is kept
 * @throws {NetlabError} of kind `usage`
 */
export async function chooseTls(options: OptionValues, root: string): Promise<TlsChoice | null> {
  const { tls, "tls-cert": cert, "tls-key": key } = options;
  if ((cert === undefined) !== (key === undefined)) {
    throw new NetlabError("usage", "--tls-cert and --tls-key belong together");
  }
  const implicit = tls === "implicit";
  if (cert !== undefined && tls !== "self-signed") {
    return { identity: { cert: readText(String(cert)), key: readText(String(key)) }, implicit, certFile: String(cert) };
  }
  if (tls === undefined) return null;
  if (cert !== undefined) throw new NetlabError("usage", "--tls self-signed needs no --tls-cert");
  return { ...await ownIdentity(`${root}/.tls`), implicit };
}

/** @throws {NetlabError} of kind `usage` when certificate and key are none, or do not belong together */
export function openTls({ identity, certFile }: TlsChoice): TlsServer {
  try {
    return new TlsServer(identity);
  } catch (error) {
    const { cause } = error as NetlabError;
    throw new NetlabError("usage", `${certFile} and its key are of no use: ${(cause as Error).message}`, {
      hint: "--tls-cert and --tls-key name two files in PEM that belong together",
      cause,
    });
  }
}

/** The one that is kept in `folder`, or a new one. */
async function ownIdentity(folder: string): Promise<{ identity: TlsIdentity; certFile: string }> {
  const [certFile, keyFile] = [`${folder}/cert.pem`, `${folder}/key.pem`];
  const { X509Certificate } = await import("@peculiar/x509");
  try {
    const identity = { cert: Deno.readTextFileSync(certFile), key: Deno.readTextFileSync(keyFile) };
    if (new X509Certificate(identity.cert).notAfter.getTime() - Date.now() > RENEW_MS) return { identity, certFile };
  } catch { /* there is none that could be used */ }
  const identity = await makeIdentity();
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  Deno.writeTextFileSync(keyFile, identity.key, { mode: 0o600 });
  Deno.writeTextFileSync(certFile, identity.cert);
  return { identity, certFile };
}

/** A certificate for this machine, signed by itself. */
export async function makeIdentity(): Promise<TlsIdentity> {
  const x509 = await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const addresses = new Set(["127.0.0.1", "::1", ...Deno.networkInterfaces().map(({ address }) => address)]);
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: [...crypto.getRandomValues(new Uint8Array(8))].map((byte) =>
      (byte & 0x7f | 1).toString(16).padStart(2, "0")
    )
      .join(""),
    name: "CN=netlab",
    notBefore: new Date(Date.now() - DAYS_MS),
    notAfter: new Date(Date.now() + LIFE_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      // rustls takes no certificate of an authority for that of a server.
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...["localhost", "netlab"].map((value) => ({ type: "dns" as const, value })),
        ...[...addresses].map((value) => ({ type: "ip" as const, value: value.replace(/%.*/, "") })),
      ]),
    ],
  });
  const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return { cert: `${cert.toString("pem")}\n`, key: x509.PemConverter.encode(key, "PRIVATE KEY") + "\n" };
}
