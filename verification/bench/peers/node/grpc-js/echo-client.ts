import { credentials } from "@grpc/grpc-js";
import { tlsFiles } from "../../tls-files.ts";
import {
  type EchoRequest,
  type EchoResponse,
  EchoService,
  type ListUsersRequest,
  type ListUsersResponse,
  type StreamRequest,
  type SummaryResponse,
} from "./echo-definition.ts";

/** Called with each streamed response as it arrives. */
export type OnResponse = (response: EchoResponse) => void;

/** Wraps grpc-js's callbacks and events in promises, for the load and the verification. */
export interface EchoClient {
  unary(request: EchoRequest): Promise<EchoResponse>;
  unaryLater(request: EchoRequest): Promise<EchoResponse>;
  listUsers(request: ListUsersRequest): Promise<ListUsersResponse>;
  serverStream(request: StreamRequest, onResponse: OnResponse): Promise<void>;
  clientStream(requests: readonly EchoRequest[]): Promise<SummaryResponse>;
  close(): void;
}

export function createEchoClient(target: string): EchoClient {
  const tls = tlsFiles();
  const client = new EchoService(
    target,
    tls === undefined ? credentials.createInsecure() : credentials.createSsl(tls.cert),
  );
  const call = <Request, Response>(method: "unary" | "unaryLater" | "listUsers", request: Request) =>
    new Promise<Response>((resolve, reject) => {
      client[method]?.(request, (error: Error | null, response: Response) => {
        if (error) reject(error);
        else resolve(response);
      });
    });
  return {
    unary: (request) => call("unary", request),
    unaryLater: (request) => call("unaryLater", request),
    listUsers: (request) => call("listUsers", request),
    serverStream(request, onResponse) {
      return new Promise((resolve, reject) => {
        const call = client.serverStream?.(request);
        call.on("data", onResponse);
        call.on("end", resolve);
        call.on("error", reject);
      });
    },
    clientStream(requests) {
      return new Promise((resolve, reject) => {
        const call = client.clientStream?.((error: Error | null, summary: SummaryResponse) => {
          if (error) reject(error);
          else resolve(summary);
        });
        for (const request of requests) call.write(request);
        call.end();
      });
    },
    close: () => client.close(),
  };
}
