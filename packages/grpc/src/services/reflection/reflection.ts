import type { DescFile, DescService } from "@bufbuild/protobuf";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { ServerReflection as ServerReflectionV1 } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionV1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { createDescriptorIndex, type DescriptorIndex, filesOfServices } from "./descriptor-index.ts";

export interface ReflectionOptions {
  /** The services that callers may know of. The reflection services are added by themselves. */
  services: readonly DescService[];
  /** Files in addition to those of the services and their imports: extensions, and types that travel in google.protobuf.Any. */
  files?: readonly DescFile[];
}

/** grpc.reflection.v1 and v1alpha, for rules that name what a server serves. */
export const reflectionServices: readonly DescService[] = [ServerReflectionV1, ServerReflectionV1Alpha];

/** Server reflection, as command-line tools use it to call services without having their .proto files. */
export interface Reflection {
  /** Registers grpc.reflection.v1 and v1alpha with a router. */
  readonly routes: (router: ConnectRouter) => void;
}

/**
 * Answers questions about the given services from their descriptors. What a server publishes this way is public to everyone
 * that may call it, including the names and the schemas, without comments, of internal services.
 */
export function createReflection(options: ReflectionOptions): Reflection {
  const services = [...options.services, ...reflectionServices];
  const names = [...new Set(services.map((service) => service.typeName))].sort();
  const files = [...filesOfServices(services), ...(options.files ?? [])];
  let index: DescriptorIndex | undefined;

  async function* answerAll<R extends Request>(requests: AsyncIterable<R>): AsyncGenerator<Response<R>> {
    // Most servers are never queried, so the work is done for the first request.
    index ??= createDescriptorIndex(files);
    const sent = new Set<DescFile>();
    for await (const request of requests) {
      yield {
        validHost: request.host,
        originalRequest: request,
        messageResponse: answer(request.messageRequest, names, index, sent),
      };
    }
  }

  return {
    routes(router) {
      router.service(ServerReflectionV1, { serverReflectionInfo: answerAll });
      router.service(ServerReflectionV1Alpha, { serverReflectionInfo: answerAll });
    },
  };
}

/** What v1 and v1alpha have in common; they differ in the names of their packages only. */
interface Request {
  host: string;
  messageRequest: Question;
}

type Question =
  | { case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType" | "listServices"; value: string }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined; value?: undefined };

interface Response<R> {
  validHost: string;
  originalRequest: R;
  messageResponse: Answer;
}

type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** @param sent the files that went out on this stream before */
function answer(question: Question, names: readonly string[], index: DescriptorIndex, sent: Set<DescFile>): Answer {
  switch (question.case) {
    case "fileByFilename":
      return fileAnswer(index.fileByName(question.value), `file ${quote(question.value)}`, index, sent);
    case "fileContainingSymbol":
      return fileAnswer(index.fileBySymbol(question.value), `symbol ${quote(question.value)}`, index, sent);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const file = index.fileByExtension(containingType, extensionNumber);
      return fileAnswer(file, `extension ${extensionNumber} of ${quote(containingType)}`, index, sent);
    }
    case "allExtensionNumbersOfType": {
      const numbers = index.extensionNumbers(question.value);
      if (numbers === undefined) return notFound(`message ${quote(question.value)}`);
      return {
        case: "allExtensionNumbersResponse",
        value: { baseTypeName: question.value, extensionNumber: [...numbers] },
      };
    }
    case "listServices":
      return { case: "listServicesResponse", value: { service: names.map((name) => ({ name })) } };
    case undefined:
      return {
        case: "errorResponse",
        value: { errorCode: Code.InvalidArgument, errorMessage: "the request asks for nothing that is known here" },
      };
  }
}

/** The requested file, then its imports, unless this stream has sent them already. */
function fileAnswer(file: DescFile | undefined, what: string, index: DescriptorIndex, sent: Set<DescFile>): Answer {
  if (file === undefined) return notFound(what);
  sent.add(file);
  const wanted = [file];
  for (const next of wanted) {
    for (const imported of next.dependencies) {
      if (sent.has(imported)) continue;
      sent.add(imported);
      wanted.push(imported);
    }
  }
  return {
    case: "fileDescriptorResponse",
    value: { fileDescriptorProto: wanted.map((each) => index.serialize(each)) },
  };
}

/** An error in the answer leaves the stream open for the next question. */
function notFound(what: string): Answer {
  return { case: "errorResponse", value: { errorCode: Code.NotFound, errorMessage: `${what} is not known` } };
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 128));
}
