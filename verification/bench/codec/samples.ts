/** The data of each shape, in the form of protobuf-es. Fixed, so that every codec does the same work in every run. */
export const samples = {
  Small: { name: "Ada Lovelace", count: 42, enabled: true, id: 9_007_199_254_740_993n, score: 0.75 },

  Nested: {
    id: "order-20260614-000017",
    customer: {
      name: "Grace Hopper",
      email: "grace.hopper@example.com",
      address: { street: "Königstraße 12", city: "Arlington", postalCode: "VA 22201", country: "US" },
    },
    items: Array.from({ length: 8 }, (_, n) => ({
      sku: `SKU-${1000 + n}-BLUE`,
      quantity: 1 + n,
      price: { currency: "EUR", units: BigInt(19 * n + 300), nanos: 990_000_000 },
    })),
    status: 2,
    createdAtMs: 1_781_423_999_123n,
    payment: { case: "card" as const, value: { lastDigits: "4242", expiryMonth: 11, expiryYear: 2029 } },
  },

  MapHeavy: {
    labels: Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`app.kubernetes.io/label-${n}`, `value of label ${n}`]),
    ),
    counters: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`requests_total_${n}`, BigInt(n) * 1_234_567n])),
    prices: Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [100 * n, { currency: "USD", units: BigInt(n), nanos: 500_000_000 }]),
    ),
  },

  Packed: {
    integers: Array.from({ length: 250 }, (_, n) => n * n - 5000),
    doubles: Array.from({ length: 250 }, (_, n) => Math.sqrt(n) * 1e3),
    differences: Array.from({ length: 100 }, (_, n) => BigInt((n - 50) * 100_003)),
    flags: Array.from({ length: 100 }, (_, n) => n % 3 === 0),
  },

  StringHeavy: {
    lines: Array.from({ length: 40 }, (_, n) => `${n}: ${"the quick brown fox ".repeat(1 + (n % 5))}`),
    text: "Größe, naïveté, 東京, and plain words in between. ".repeat(40),
  },

  BytesHeavy: {
    content: Uint8Array.from({ length: 64 * 1024 }, (_, n) => n & 0xff),
    chunks: Array.from({ length: 16 }, (_, n) => new Uint8Array(1024).fill(n)),
  },
};

export type Shape = keyof typeof samples;

export const shapes = Object.keys(samples) as Shape[];
