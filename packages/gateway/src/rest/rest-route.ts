import type { GatewayHost, MethodHandler } from "@tercel/grpc/protocols";
import { parseQuery, type QueryParameters } from "../rules/query-parameters.ts";
import type { RestBinding } from "../rules/rest-binding.ts";
import type { RestSettings } from "./rest-settings.ts";

/** What a server and its REST API have for a method. */
export interface RestMethodParts {
  readonly host: GatewayHost;
  readonly settings: RestSettings;
  readonly handler: MethodHandler;
  readonly binding: RestBinding;
}

/** A route of the REST API that a request has matched. Requests with the same head share it. */
export class RestRoute implements RestMethodParts {
  readonly host: GatewayHost;
  readonly settings: RestSettings;
  readonly handler: MethodHandler;
  readonly binding: RestBinding;
  /** Of the variables in the rule's path. */
  readonly pathValues: readonly string[];
  readonly #query: string;
  #parameters: QueryParameters | undefined = undefined;

  constructor(parts: RestMethodParts, pathValues: readonly string[], query: string) {
    this.host = parts.host;
    this.settings = parts.settings;
    this.handler = parts.handler;
    this.binding = parts.binding;
    this.pathValues = pathValues;
    this.#query = query;
  }

  /** @throws ConnectError for a query that cannot be read */
  get parameters(): QueryParameters {
    this.#parameters ??= parseQuery(this.#query);
    return this.#parameters;
  }
}
