/** What people let each other hear: single pieces by a link, and playlists of several people. */
import { defineTable } from "convex/server";
import { v } from "convex/values";

export const playlistRole = v.union(v.literal("owner"), v.literal("editor"), v.literal("listener"));
export const invitedRole = v.union(v.literal("editor"), v.literal("listener"));

export const sharingTables = {
  /**
   * Pieces that their owner lets others hear by a link: one row for each, as long as the link is good. The token is all
   * that the link is; it is kept as it is, since the owner is shown it again.
   * Written by shares:create. Read by shares:*, and by the question who may see a piece. Deleted by shares:revoke, and
   * with the piece.
   */
  shares: defineTable({
    userId: v.id("users"),
    generationId: v.id("musicGenerations"),
    token: v.string(),
    createdAt: v.number(),
  })
    .index("by_token", ["token"])
    .index("by_generation", ["generationId"])
    .index("by_user", ["userId", "createdAt"]),

  /**
   * Who has opened a link: they may see its piece as long as the link is good.
   * Written by shares:open. Read by the question who may see a piece. Deleted by cleanup:sweepAfterShare, with the
   * piece, and with their user.
   */
  shareGuests: defineTable({
    userId: v.id("users"),
    shareId: v.id("shares"),
    generationId: v.id("musicGenerations"),
    createdAt: v.number(),
  })
    .index("by_user_and_generation", ["userId", "generationId"])
    .index("by_share", ["shareId"])
    .index("by_generation", ["generationId"]),

  /**
   * Playlists.
   * Written by playlists:create, playlists:rename. Read by playlists:*. Deleted by playlists:remove, and with their
   * owner.
   */
  playlists: defineTable({ name: v.string(), createdAt: v.number() }),

  /**
   * Who belongs to a playlist, its owner among them: there is always exactly one.
   * Written by playlists:create, join, setRole. Read by playlists:*, and by the question who may see a piece. Deleted
   * by playlists:leave, expel, remove, and with their user.
   */
  playlistMembers: defineTable({
    playlistId: v.id("playlists"),
    userId: v.id("users"),
    role: playlistRole,
    createdAt: v.number(),
  })
    .index("by_playlist", ["playlistId", "role"])
    .index("by_user", ["userId", "role"])
    .index("by_user_and_playlist", ["userId", "playlistId"]),

  /**
   * Pieces of a playlist; `userId` is who added it.
   * Written by playlists:add. Read by playlists:show, and by the question who may see a piece. Deleted by
   * playlists:drop, leave, expel, remove, with the piece, and with who added it.
   */
  playlistEntries: defineTable({
    playlistId: v.id("playlists"),
    generationId: v.id("musicGenerations"),
    userId: v.id("users"),
    createdAt: v.number(),
  })
    .index("by_playlist", ["playlistId", "createdAt"])
    .index("by_playlist_and_generation", ["playlistId", "generationId"])
    .index("by_playlist_and_user", ["playlistId", "userId"])
    .index("by_user", ["userId", "createdAt"])
    .index("by_generation", ["generationId"]),

  /**
   * Links by which a playlist is joined, one for each role, good for a week.
   * Written by playlists:invite. Read by playlists:join. Deleted by playlists:uninvite, expel, remove, and by
   * cleanup:purgeInvites.
   */
  playlistInvites: defineTable({
    playlistId: v.id("playlists"),
    role: invitedRole,
    token: v.string(),
    expiresAt: v.number(),
  })
    .index("by_token", ["token"])
    .index("by_playlist", ["playlistId", "role"])
    .index("by_expiry", ["expiresAt"]),
};
