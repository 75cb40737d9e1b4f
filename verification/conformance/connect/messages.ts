/**
 * The protobuf-es types of the suite's messages that the programs under test use. The schemas are
 * compiled from the suite's protos at run time, so they are not copied here.
 */
import type { Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import type { Any } from "@bufbuild/protobuf/wkt";

type Name<Short extends string> = `connectrpc.conformance.v1.${Short}`;

export interface Header extends Message<Name<"Header">> {
  name: string;
  value: string[];
}

export interface TlsCredentials extends Message<Name<"TLSCreds">> {
  cert: Uint8Array;
  key: Uint8Array;
}

export interface ErrorStatus extends Message<Name<"Error">> {
  code: number;
  message?: string;
  details: Any[];
}

export interface RequestInfo extends Message<Name<"ConformancePayload.RequestInfo">> {
  requestHeaders: Header[];
  timeoutMs?: bigint;
  requests: Any[];
}

export interface Payload extends Message<Name<"ConformancePayload">> {
  data: Uint8Array;
  requestInfo?: RequestInfo;
}

export interface UnaryResponseDefinition extends Message<Name<"UnaryResponseDefinition">> {
  responseHeaders: Header[];
  response:
    | { case: "responseData"; value: Uint8Array }
    | { case: "error"; value: ErrorStatus }
    | { case: undefined; value?: undefined };
  responseTrailers: Header[];
  responseDelayMs: number;
}

export interface StreamResponseDefinition extends Message<Name<"StreamResponseDefinition">> {
  responseHeaders: Header[];
  responseData: Uint8Array[];
  responseDelayMs: number;
  error?: ErrorStatus;
  responseTrailers: Header[];
}

export interface UnaryRequest extends Message<Name<"UnaryRequest">> {
  responseDefinition?: UnaryResponseDefinition;
}

export interface IdempotentUnaryRequest extends Message<Name<"IdempotentUnaryRequest">> {
  responseDefinition?: UnaryResponseDefinition;
}

export interface ClientStreamRequest extends Message<Name<"ClientStreamRequest">> {
  responseDefinition?: UnaryResponseDefinition;
}

export interface ServerStreamRequest extends Message<Name<"ServerStreamRequest">> {
  responseDefinition?: StreamResponseDefinition;
}

export interface BidiStreamRequest extends Message<Name<"BidiStreamRequest">> {
  responseDefinition?: StreamResponseDefinition;
  fullDuplex: boolean;
}

export interface PayloadResponse<Short extends string> extends Message<Name<Short>> {
  payload?: Payload;
}

export type ConformanceService = GenService<{
  unary: {
    methodKind: "unary";
    input: GenMessage<UnaryRequest>;
    output: GenMessage<PayloadResponse<"UnaryResponse">>;
  };
  idempotentUnary: {
    methodKind: "unary";
    input: GenMessage<IdempotentUnaryRequest>;
    output: GenMessage<PayloadResponse<"IdempotentUnaryResponse">>;
  };
  serverStream: {
    methodKind: "server_streaming";
    input: GenMessage<ServerStreamRequest>;
    output: GenMessage<PayloadResponse<"ServerStreamResponse">>;
  };
  clientStream: {
    methodKind: "client_streaming";
    input: GenMessage<ClientStreamRequest>;
    output: GenMessage<PayloadResponse<"ClientStreamResponse">>;
  };
  bidiStream: {
    methodKind: "bidi_streaming";
    input: GenMessage<BidiStreamRequest>;
    output: GenMessage<PayloadResponse<"BidiStreamResponse">>;
  };
}>;

export interface ServerCompatRequest extends Message<Name<"ServerCompatRequest">> {
  useTls: boolean;
  clientTlsCert: Uint8Array;
  messageReceiveLimit: number;
  serverCreds?: TlsCredentials;
}

export interface ServerCompatResponse extends Message<Name<"ServerCompatResponse">> {
  host: string;
  port: number;
  pemCert: Uint8Array;
}

export interface Cancel extends Message<Name<"ClientCompatRequest.Cancel">> {
  cancelTiming:
    | { case: "beforeCloseSend" }
    | { case: "afterCloseSendMs"; value: number }
    | { case: "afterNumResponses"; value: number }
    | { case: undefined; value?: undefined };
}

/** The suite's enum values that the client under test must distinguish. */
export const codecJson = 2;
export const compressionGzip = 2;
export const streamTypeFullDuplexBidi = 5;

export interface ClientCompatRequest extends Message<Name<"ClientCompatRequest">> {
  testName: string;
  codec: number;
  compression: number;
  host: string;
  port: number;
  serverTlsCert: Uint8Array;
  clientTlsCreds?: TlsCredentials;
  messageReceiveLimit: number;
  service?: string;
  method?: string;
  streamType: number;
  requestHeaders: Header[];
  requestMessages: Any[];
  timeoutMs?: number;
  requestDelayMs: number;
  cancel?: Cancel;
}

export interface ClientResponseResult extends Message<Name<"ClientResponseResult">> {
  responseHeaders: Header[];
  payloads: Payload[];
  error?: ErrorStatus;
  responseTrailers: Header[];
  numUnsentRequests: number;
}

export interface ClientCompatResponse extends Message<Name<"ClientCompatResponse">> {
  testName: string;
  result:
    | { case: "response"; value: ClientResponseResult }
    | { case: "error"; value: Message<Name<"ClientErrorResult">> & { message: string } }
    | { case: undefined; value?: undefined };
}
