// What the operating system says when a socket fails, in the words of netlab: what failed, where, why, and what to do.

import { NetlabError } from "../protocol/errors.ts";

/** What was being done when the socket failed. */
export type Doing = "listen on" | "connect to" | "talk to";

interface Explanation {
  readonly why: string;
  readonly hint?: string;
}

/**
 * Turns an error of a socket operation on `address` (`host:port`) into one of kind `transport`, or `harness` where this process
 * has no more files to open. A `NetlabError` passes unchanged.
 */
export function transportError(error: unknown, doing: Doing, address: string): NetlabError {
  if (error instanceof NetlabError) return error;
  const { why, hint } = explain(error, doing, address);
  const message = doing === "listen on" && hint && why.includes(" is ") ? why : `cannot ${doing} ${address}: ${why}`;
  return new NetlabError(isOutOfFiles(error) ? "harness" : "transport", message, { hint, cause: error });
}

function explain(error: unknown, doing: Doing, address: string): Explanation {
  const port = address.slice(address.lastIndexOf(":") + 1);
  const host = address.slice(0, address.lastIndexOf(":"));
  const code = (error as { code?: string })?.code;
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.AddrInUse || code === "EADDRINUSE") {
    return {
      why: `port ${port} is in use on ${host}`,
      hint: "stop the other server or pick another with --port",
    };
  }
  if (error instanceof Deno.errors.NotCapable) {
    return { why: "netlab was started without the permission", hint: "run it with -P, which reads deno.json" };
  }
  if (error instanceof Deno.errors.PermissionDenied || code === "EACCES" || code === "EPERM") {
    if (doing !== "listen on") {
      return { why: "the system refused permission", hint: "is a firewall on this machine in the way?" };
    }
    return Number(port) < 1024 && Deno.build.os !== "windows"
      ? { why: "ports below 1024 need special rights", hint: "pick one from 1024 with --port" }
      : { why: "the system refused permission", hint: "it may keep that port for another: pick one with --port" };
  }
  if (error instanceof Deno.errors.AddrNotAvailable || code === "EADDRNOTAVAIL") {
    return doing === "listen on"
      ? { why: "this machine does not have that address", hint: "0.0.0.0 stands for all of its addresses" }
      : { why: "the address cannot be used as a destination", hint: "check the host and the port" };
  }
  // Windows says it by these numbers, in the language of its user.
  if (/lookup address|invalid host|resolve|not known|No address associated|\(os error 1100[1-4]\)/i.test(text)) {
    const all = doing === "listen on" ? "; 0.0.0.0 stands for all addresses of this machine" : "";
    return { why: "no such host", hint: `check the spelling, or use the address in digits${all}` };
  }
  if (error instanceof Deno.errors.ConnectionRefused || code === "ECONNREFUSED") {
    return { why: "connection refused", hint: "nothing listens there: is the server running, and on this port?" };
  }
  if (code === "ENETUNREACH" || code === "EHOSTUNREACH" || /unreachable|No route/i.test(text)) {
    return { why: "unreachable", hint: "are both machines on the same network? a firewall can do this too" };
  }
  if (error instanceof Deno.errors.TimedOut || code === "ETIMEDOUT") {
    return { why: "no answer", hint: "wrong address, or a firewall drops the packets" };
  }
  if (/^\[fe80:[^%]*$/i.test(host)) {
    return { why: describeSystemError(error), hint: "say by which interface: fe80::1%eth0" };
  }
  if (code === "EMSGSIZE") {
    const mac = Deno.build.os === "darwin"
      ? " (macOS: of 9216 bytes, unless sysctl net.inet.udp.maxdgram says more)"
      : "";
    return { why: `this system sends no datagram so large${mac}`, hint: "send less in each" };
  }
  if (isReset(error)) return { why: "the peer cut the connection", hint: "its program ended or crashed" };
  if (isOutOfFiles(error)) return { why: "too many open files", hint: "raise the limit with: ulimit -n 65536" };
  return { why: describeSystemError(error) };
}

/**
 * What the system says, as part of a sentence: without its number, and the full stop that Windows ends with. Some files Deno
 * keeps from whoever may not do all.
 */
export function describeSystemError(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    return "netlab may not use it: only plain files, and none of /dev or /proc";
  }
  const text = (error instanceof Error ? error.message : String(error)).replace(/\.? \(os error .*/s, "");
  return text.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase()); // no abbreviation begins so
}

/** Whether the peer is gone without a proper end of stream. */
export function isReset(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.NotConnected;
}

/** Whether the process (EMFILE) or the system (ENFILE) is at its limit of open files. */
export function isOutOfFiles(error: unknown): boolean {
  const code = (error as { code?: string })?.code;
  return code === "EMFILE" || code === "ENFILE" ||
    (error instanceof Error && /too many open files/i.test(error.message));
}
