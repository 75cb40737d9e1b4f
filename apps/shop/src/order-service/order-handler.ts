import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { Order_State, type OrderSchema, type OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { invalidField, maxIdChars, requiredId } from "../service/field-rules.ts";
import { orderOf } from "./order-rules.ts";
import type { OrderStore, StoredOrder } from "./order-store.ts";
import { pageTokenOf, positionOf } from "./page-token.ts";

const defaultPageSize = 10;

/** A larger page would let one small request make the service build an answer of any size. */
const maxPageSize = 100;

/** Creates the handlers of shop.order.v1.OrderService over the store. */
export function createOrderHandler(store: OrderStore): ServiceImpl<typeof OrderService> {
  return {
    createOrder(request) {
      const order = store.create(orderOf(request));
      if (order === "request-id-reused") {
        throw new ConnectError("request_id: another order was placed with this id", Code.AlreadyExists);
      }
      return toMessage(order);
    },

    getOrder(request) {
      const order = store.get(requiredId("order_id", request.orderId));
      if (order === undefined) throw orderNotFound();
      return toMessage(order);
    },

    listOrders({ userId, pageSize, pageToken }) {
      if (userId.length > maxIdChars) throw invalidField("user_id", `must have at most ${maxIdChars} characters`);
      if (pageSize < 0) throw invalidField("page_size", "must not be negative");
      const position = pageToken === "" ? { beforeSeq: Number.MAX_SAFE_INTEGER } : positionOf(pageToken, userId);
      if (position === undefined) throw invalidField("page_token", "does not belong to this list");

      const limit = Math.min(pageSize === 0 ? defaultPageSize : pageSize, maxPageSize);
      // One more than asked for tells whether there is a next page.
      const orders = store.list(userId, position.beforeSeq, limit + 1);
      const page = orders.slice(0, limit);
      const last = page.at(-1);
      const nextPageToken = orders.length > limit && last ? pageTokenOf({ beforeSeq: last.seq, userId }) : "";
      return { orders: page.map(toMessage), nextPageToken };
    },

    cancelOrder(request) {
      const order = store.cancel(requiredId("order_id", request.orderId));
      if (order === undefined) throw orderNotFound();
      return toMessage(order);
    },
  };
}

function toMessage(order: StoredOrder): MessageInitShape<typeof OrderSchema> {
  let totalCents = 0;
  for (const item of order.items) totalCents += item.quantity * item.unitPriceCents;
  return {
    id: order.id,
    userId: order.userId,
    state: order.cancelled ? Order_State.CANCELLED : Order_State.PLACED,
    items: order.items.map(({ sku, quantity, unitPriceCents }) => ({
      sku,
      quantity,
      unitPriceCents: BigInt(unitPriceCents),
    })),
    totalCents: BigInt(totalCents),
    createTime: timestampFromMs(order.createTimeMs),
    updateTime: timestampFromMs(order.updateTimeMs),
  };
}

function orderNotFound(): ConnectError {
  return new ConnectError("order_id: no order has this id", Code.NotFound);
}
