// The server's certificate: somebody's, or one that it makes for itself and keeps beside the mailboxes.

import { describeSystemError } from "../../net/errors.ts";
import { type TlsIdentity, TlsServer } from "../../net/tls.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { OptionValues } from "../options.ts";
import { readText } from "./named_files.ts";

/** How long a certificate of our own lasts, and how long before its end there is a new one. */
const DAYS_MS = 86_400_000;
const LIFE_MS = 365 * DAYS_MS;
const RENEW_MS = 7 * DAYS_MS;

/** What `--tls` and its relatives come to. */
export interface ServerTls {
  readonly server: TlsServer;
  /** From the first byte (port 465's way), not from STARTTLS on. */
  readonly implicit: boolean;
  /** The certificate's file, for those who want to trust it. */
  readonly certFile: string;
}

/**
 * TLS with the certificate that the options say; null for none.
 *
 * @param root where one of our own is kept
 * @param onProblem told why one of our own that was kept is of no use any more
 * @throws {NetlabError} of kind `usage`, also when certificate and key are none, or do not belong together
 */
export async function openTls(
  options: OptionValues,
  root: string,
  onProblem: (text: string) => void,
): Promise<ServerTls | null> {
  const { tls, "tls-cert": cert, "tls-key": key } = options;
  if ((cert === undefined) !== (key === undefined)) {
    throw new NetlabError("usage", "--tls-cert and --tls-key belong together");
  }
  const implicit = tls === "implicit";
  if (cert !== undefined && tls !== "self-signed") {
    const identity = { cert: readText(String(cert)), key: readText(String(key)) };
    return { server: openNamed(identity, String(cert)), implicit, certFile: String(cert) };
  }
  if (tls === undefined) return null;
  if (cert !== undefined) throw new NetlabError("usage", "--tls self-signed needs no --tls-cert");
  return { ...await openOwn(`${root}/.tls`, onProblem), implicit };
}

function openNamed(identity: TlsIdentity, certFile: string): TlsServer {
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

/** With the certificate that is kept in `folder`, or a new one. */
async function openOwn(folder: string, onProblem: (text: string) => void): Promise<Omit<ServerTls, "implicit">> {
  const [certFile, keyFile] = [`${folder}/cert.pem`, `${folder}/key.pem`];
  let problem: string | null = null;
  try {
    const kept = await openKept(certFile, keyFile);
    if (kept !== null) return { server: kept, certFile };
  } catch (error) {
    problem = describeSystemError((error as Error).cause ?? error);
  }
  const identity = await makeIdentity();
  const server = new TlsServer(identity);
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    Deno.writeTextFileSync(keyFile, identity.key, { mode: 0o600 });
    Deno.writeTextFileSync(certFile, identity.cert);
  } catch (error) {
    server.close();
    const why = describeSystemError(error);
    const hint =
      "--mailbox names a folder that netlab may write to; --tls-cert and --tls-key name a certificate elsewhere";
    throw new NetlabError("usage", `cannot keep a certificate in ${folder}: ${why}`, { hint, cause: error });
  }
  if (problem !== null) onProblem(`${certFile} and its key are of no use (${problem}): they have been made anew`);
  return { server, certFile };
}

/** Null when there is none, or not for long. @throws when there is one that cannot be used */
async function openKept(certFile: string, keyFile: string): Promise<TlsServer | null> {
  let cert: string;
  try {
    cert = Deno.readTextFileSync(certFile);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const { X509Certificate } = await import("@peculiar/x509");
  if (new X509Certificate(cert).notAfter.getTime() - Date.now() <= RENEW_MS) return null;
  return new TlsServer({ cert, key: Deno.readTextFileSync(keyFile) });
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
