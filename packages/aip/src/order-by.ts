import { invalidArgument } from "@tercel/grpc/errors";
import { nearestName } from "@tercel/grpc/internal";
import { findField, isRepeated, type ListFields } from "./list-fields.ts";

/** One key of an order; the first counts most. */
export interface OrderKey {
  readonly field: string;
  readonly descending: boolean;
}

const maxKeys = 10;

/**
 * Parses the `order_by` of a list request (AIP-132): `created_at desc, email`. The empty string means no order.
 *
 * @throws ConnectError InvalidArgument that names what is wrong, for the field `order_by` of the request
 */
export function parseOrderBy(source: string, fields: ListFields, requestField = "order_by"): readonly OrderKey[] {
  if (source.trim() === "") return [];
  const refuse = (description: string): never => {
    throw invalidArgument({ field: requestField, description, reason: "ORDER_BY_INVALID" });
  };
  const parts = source.split(",", maxKeys + 1);
  if (parts.length > maxKeys) refuse(`names more than ${maxKeys} fields`);
  const keys: OrderKey[] = [];
  for (const part of parts) {
    const [name = "", direction = "asc", ...rest] = part.trim().split(/\s+/, 4);
    if (name === "") refuse("has nothing between two commas, or before or after one");
    const field = findField(fields, name);
    if (field === undefined || isRepeated(field)) {
      const known = Object.keys(fields).filter((one) => !isRepeated(fields[one] as ListFields[string]));
      const nearest = nearestName(name, known);
      const hint = nearest === undefined ? `one of ${known.join(", ")}` : `did you mean "${nearest}"?`;
      refuse(`cannot be by "${name.slice(0, 64)}"; ${hint}`);
    }
    if ((direction !== "asc" && direction !== "desc") || rest.length > 0) {
      refuse(`says "${part.trim().slice(0, 64)}"; after a field name only asc or desc may stand`);
    }
    if (keys.some((one) => one.field === name)) refuse(`names "${name}" twice`);
    keys.push({ field: name, descending: direction === "desc" });
  }
  return keys;
}
