import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { nearestName } from "@tercel/grpc/internal";
import { http } from "../gen/google/api/annotations_pb.ts";
import type { HttpRule } from "../gen/google/api/http_pb.ts";
import { readPathValues } from "./path-values.ts";
import type { RequestPath } from "./request-path.ts";
import { type RestBinding, readBindings } from "./rest-binding.ts";
import { RouteTree } from "./route-tree.ts";

/** Result of looking up an HTTP method and path. */
export type RestLookup =
  | { readonly binding: RestBinding; readonly pathValues: readonly string[] }
  /** The path exists for other HTTP methods. */
  | { readonly allowed: readonly string[] }
  | undefined;

/** All REST routes of a server. */
export class RestTable {
  readonly #tree = new RouteTree<RestBinding>();
  readonly bindings: RestBinding[] = [];

  /**
   * @param rules replace the annotations of the methods in their selectors
   * @throws TypeError for a rule that does not match its method, for two routes of the same shape, and for a selector without a method
   */
  constructor(methods: Iterable<DescMethod>, rules: readonly HttpRule[] = []) {
    const all = [...methods];
    const replaced = rulesBySelector(rules, all);
    for (const method of all) {
      const rule = replaced.get(selectorOf(method)) ?? annotationOf(method);
      if (rule === undefined) continue;
      for (const binding of readBindings(method, rule)) {
        this.#tree.add(binding);
        this.bindings.push(binding);
      }
    }
  }

  find(httpMethod: string, path: RequestPath): RestLookup {
    const found = this.#tree.find(httpMethod, path);
    if (found === undefined || "allowed" in found) return found;
    const { route, verbLength } = found;
    return { binding: route, pathValues: readPathValues(route.template, path, verbLength) };
  }

  /** Finds the routes of a path, one for each HTTP method: GET first, then in alphabetical order. */
  findAll(path: RequestPath): readonly { readonly binding: RestBinding; readonly pathValues: readonly string[] }[] {
    // No rule has the method "", so this finds either a rule for all methods or the HTTP methods of the path.
    const found = this.find("GET", path);
    const others = this.find("", path);
    const first = found !== undefined && "binding" in found ? [found] : [];
    if (others === undefined) return first;
    if ("binding" in others) return [...first, others];
    const rest = others.allowed.filter((method) => method !== "GET").map((method) => this.find(method, path));
    return [...first, ...rest.filter((one) => one !== undefined && "binding" in one)];
  }
}

function annotationOf(method: DescMethod): HttpRule | undefined {
  return hasOption(method, http) ? getOption(method, http) : undefined;
}

function selectorOf(method: DescMethod): string {
  return `${method.parent.typeName}.${method.name}`;
}

function rulesBySelector(rules: readonly HttpRule[], methods: readonly DescMethod[]): Map<string, HttpRule> {
  const known = methods.map(selectorOf);
  const bySelector = new Map<string, HttpRule>();
  for (const rule of rules) {
    const { selector } = rule;
    if (!known.includes(selector)) {
      const nearest = nearestName(selector, known);
      const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
      throw new TypeError(
        `createGateway: rules has the selector "${selector}", and this server has no such method${hint}`,
      );
    }
    if (bySelector.has(selector))
      throw new TypeError(`createGateway: rules has two rules with the selector "${selector}"`);
    bySelector.set(selector, rule);
  }
  return bySelector;
}
