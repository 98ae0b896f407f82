// What everything above talks to: what Deno's TCP and TLS connections are, what the pair in memory is, and, with datagrams
// in place of a byte stream, what one peer of a UDP socket is.

/** Where a socket is bound or connected: `transport`, `hostname` and `port`. */
export type Address = Deno.NetAddr;

/** A byte stream in both directions, or datagrams; `Deno.TcpConn` and `Deno.TlsConn` are such. */
export interface Conn {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  /** Reads up to `into.length` bytes; null at the end of the stream. */
  read(into: Uint8Array): Promise<number | null>;
  /** In place of `read` where a datagram is a message: the next one whole, valid until the next call; null at the end. */
  receive?(): Promise<Uint8Array | null>;
  /**
   * The same for all that come until the end, each handed over in the moment of its arrival, without a copy: the bytes are
   * valid during the call. What it returns is waited for, and others kept meanwhile.
   *
   * @throws what `onDatagram` throws; then it has ended
   */
  each?(onDatagram: (bytes: Uint8Array) => void | Promise<void>): Promise<void>;
  /** Writes at least one byte and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the stream towards the peer; reading goes on. Once it resolves, `close` loses nothing of what was written. */
  closeWrite(): Promise<void>;
  close(): void;
}

/**
 * Has messages leave at once, however small. macOS takes no options for a connection that was reset meanwhile: the first
 * read will say so.
 */
export function sendAtOnce<C extends Pick<Deno.TcpConn, "setNoDelay">>(conn: C): C {
  try {
    conn.setNoDelay(true);
  } catch { /* as said above */ }
  return conn;
}

/** `host:port`, `[v6]:port`; for other kinds of address their transport. */
export function formatAddress(address: Deno.Addr): string {
  if (!("hostname" in address)) return address.transport;
  return formatHostPort(address.hostname, address.port);
}

/** `host:port`, with brackets around an IPv6 address. An IPv4 address that arrived on an IPv6 socket is shown as IPv4. */
export function formatHostPort(hostname: string, port: number): string {
  const host = hostname.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
