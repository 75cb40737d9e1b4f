/** The server of attacks answers a request with this message by `largeResponseBytes` of payload … */
export const largeResponseMessage = "a large response";
export const largeResponseBytes = 65_536;

/** … and one with this message after `slowResponseMs`, whatever becomes of the call meanwhile. */
export const slowResponseMessage = "a slow response";
export const slowResponseMs = 1000;

/** EchoRequest with this message. */
export function echoRequest(message: string): Buffer {
  const field = Buffer.concat([Buffer.of(0x0a, message.length), Buffer.from(message)]);
  return Buffer.concat([Buffer.of(0, 0, 0, 0, field.length), field]);
}
