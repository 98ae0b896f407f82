// Base64 as AUTH has it (RFC 4954 section 4): strict, because what is cut off or has a stray character is not what was meant.

import { decodeText, encodeText } from "../../protocol/text.ts";

/** The text that `encoded` stands for; null when it is no base64, or no UTF-8. */
export function decodeBase64(encoded: string): string | null {
  if (encoded.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) return null;
  try {
    return decodeText(Uint8Array.fromBase64(encoded));
  } catch {
    return null;
  }
}

export function encodeBase64(text: string): string {
  return encodeText(text).toBase64();
}
