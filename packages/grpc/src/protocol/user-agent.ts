/** The user-agent that clients send. The version is that of this package. */
export const userAgent = "grpc-tercel/0.1.0";
