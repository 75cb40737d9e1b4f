/** The shortest request head that is in order, and one that names its length. */
export const post: readonly string[] = [":method", "POST", ":scheme", "http", ":path", "/example"];

/** The shortest response head. */
export const ok: readonly string[] = [":status", "200"];

/** Bytes in which every offset has its own value modulo a prime, so that lost or doubled ones are seen. */
export function patterned(byteCount: number): Buffer {
  const bytes = Buffer.alloc(byteCount);
  for (let i = 0; i < byteCount; i++) bytes[i] = i % 251;
  return bytes;
}
