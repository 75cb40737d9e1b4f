import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { Order_State, type OrderSchema, type OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { requiredId } from "../shared/field-rules.ts";
import type { createListPages } from "../shared/list-pages.ts";
import { orderOf } from "./order-rules.ts";
import type { OrderStore, StoredOrder } from "./order-store.ts";
import type { Settlement } from "./settlement.ts";

export interface OrderParts {
  readonly store: OrderStore;
  readonly settlement: Pick<Settlement, "settle">;
  readonly pages: ReturnType<typeof createListPages>;
}

/** Creates the handlers of shop.order.v1.OrderService over the store. */
export function createOrderHandler({ store, settlement, pages }: OrderParts): ServiceImpl<typeof OrderService> {
  return {
    async createOrder(request, context) {
      const order = await store.create(orderOf(request));
      if (order === "request-id-reused") {
        throw new ConnectError("request_id: another order was placed with this id", Code.AlreadyExists);
      }
      return toMessage(await settlement.settle(order, context.timeoutMs()));
    },

    async getOrder(request) {
      const order = await store.get(requiredId("order_id", request.orderId));
      if (order === undefined) throw orderNotFound();
      return toMessage(order);
    },

    async listOrders(request) {
      const { rows, nextPageToken } = await pages(request, (query) => store.list(query));
      return { orders: rows.map(toMessage), nextPageToken };
    },

    async cancelOrder(request) {
      const order = await store.cancel(requiredId("order_id", request.orderId), "cancelled by its user");
      if (order === undefined) throw orderNotFound();
      return toMessage(order);
    },
  };
}

const states = {
  pending: Order_State.PENDING,
  placed: Order_State.PLACED,
  cancelled: Order_State.CANCELLED,
} as const;

function toMessage(order: StoredOrder): MessageInitShape<typeof OrderSchema> {
  const { id, userId, cancelReason, paymentId } = order;
  return {
    id,
    userId,
    state: states[order.state],
    items: order.items.map((item) => ({ ...item, unitPriceCents: BigInt(item.unitPriceCents) })),
    totalCents: BigInt(order.totalCents),
    createTime: timestampFromMs(order.createTimeMs),
    updateTime: timestampFromMs(order.updateTimeMs),
    cancelReason,
    paymentId,
  };
}

function orderNotFound(): ConnectError {
  return new ConnectError("order_id: no order has this id", Code.NotFound);
}
