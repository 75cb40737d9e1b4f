export { createFeed, type Feed, type FeedOptions, type FeedSource, type FollowOptions } from "./feed.ts";
