import type { CreateOrderRequest } from "../gen/shop/order/v1/order_pb.ts";
import { invalidField, maxIdChars, requiredId, requiredText } from "../shared/field-rules.ts";
import type { NewOrder, OrderedItem } from "./order-store.ts";

const maxItems = 100;
const maxSkuChars = 64;
const maxQuantity = 10_000;

/** 100 items of 10,000 pieces at this price are 10^14 cents, which a double represents exactly (below 2^53). */
const maxUnitPriceCents = 100_000_000n;

/**
 * Returns the checked items of an order.
 *
 * @throws ConnectError INVALID_ARGUMENT naming the first field that is wrong, by its path: "items[2].quantity".
 */
export function orderOf(request: CreateOrderRequest): NewOrder {
  const userId = requiredId("user_id", request.userId);
  if (request.requestId.length > maxIdChars) {
    throw invalidField("request_id", `must have at most ${maxIdChars} characters`);
  }
  if (request.items.length === 0) throw invalidField("items", "must not be empty");
  if (request.items.length > maxItems) throw invalidField("items", `must have at most ${maxItems} entries`);
  const items = request.items.map((item, index): OrderedItem => {
    const path = `items[${index}]`;
    const sku = requiredText(`${path}.sku`, item.sku, maxSkuChars);
    if (item.quantity < 1 || item.quantity > maxQuantity) {
      throw invalidField(`${path}.quantity`, `must be from 1 to ${maxQuantity}`);
    }
    if (item.unitPriceCents < 0n || item.unitPriceCents > maxUnitPriceCents) {
      throw invalidField(`${path}.unit_price_cents`, `must be from 0 to ${maxUnitPriceCents}`);
    }
    return { sku, quantity: item.quantity, unitPriceCents: Number(item.unitPriceCents) };
  });
  return { userId, requestId: request.requestId, items };
}
