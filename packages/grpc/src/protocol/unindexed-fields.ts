/**
 * Fields that differ from call to call: in the header compression's table they would only push out what repeats. A block
 * without such an entry can be recalled by the peer as a whole, too.
 */
export const unindexedFields: readonly string[] = ["grpc-timeout", "grpc-message", "grpc-previous-rpc-attempts"];
