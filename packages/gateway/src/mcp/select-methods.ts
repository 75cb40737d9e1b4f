import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { nearestName } from "@tercel/grpc/internal";

/**
 * Returns the selected methods: `package.Service/Method`, `package.Service/*`, `*`. `*` selects only unary methods.
 *
 * @throws TypeError for a selector that matches no method, and for a streaming method
 */
export function selectMethods(
  where: string,
  services: readonly DescService[],
  selectors: readonly string[],
): DescMethod[] {
  const all = services.flatMap((service) => service.methods);
  const chosen = new Set<DescMethod>();
  for (const selector of selectors) {
    const found = all.filter((method) => fits(selector, method));
    if (found.length === 0) throw unknown(where, selector, all);
    for (const method of found) {
      if (method.methodKind === "unary") chosen.add(method);
      else if (!selector.endsWith("*")) throw new TypeError(`${where}: ${selector} streams; tools are unary methods`);
    }
  }
  return all.filter((method) => chosen.has(method));
}

function fits(selector: string, method: DescMethod): boolean {
  return selector === "*" || selector === `${method.parent.typeName}/*` || selector === nameOf(method);
}

function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

function unknown(where: string, selector: string, methods: readonly DescMethod[]): TypeError {
  const nearest = nearestName(selector, methods.map(nameOf));
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new TypeError(`${where}: include names "${selector}", which none of the services has${hint}`);
}
