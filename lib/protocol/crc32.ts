// The checksum of Ethernet, zip and PNG (CRC-32/ISO-HDLC, reflected polynomial 0xEDB88320): the built-in one, which is some
// forty times faster than a table. It is a function of its arguments; but the module that has it takes long to load (6 ms), so
// that is done when it is first asked, or before.

type Crc32 = (bytes: Uint8Array) => number;

/** Node's `process`, which Deno has, too. */
interface Loader {
  readonly process: { getBuiltinModule(name: string): { readonly crc32: Crc32 } };
}

let builtIn: Crc32 | null = null;

/** Loads what it is made of, for who would rather wait now than when it is first asked. */
export function loadCrc32(): Crc32 {
  return builtIn ??= (globalThis as unknown as Loader).process.getBuiltinModule("node:zlib").crc32;
}

/** The CRC-32 of `bytes`. */
export function crc32(bytes: Uint8Array): number {
  return (builtIn ?? loadCrc32())(bytes);
}
