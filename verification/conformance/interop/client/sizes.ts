/** Digits of e and of pi: the sizes that the test descriptions give. */
export const largeRequestBytes = 271_828;
export const largeResponseBytes = 314_159;

export function zeros(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
