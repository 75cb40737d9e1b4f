/** The sizes in the test descriptions, which are digits of e and pi. */
export const largeRequestBytes = 271_828;
export const largeResponseBytes = 314_159;

export function zeros(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
