/* eslint-disable */
/**
 * Generated `api` utility.
 *
 * THIS CODE IS AUTOMATICALLY GENERATED.
 *
 * To regenerate, run `npx convex dev`.
 * @module
 */

import type {
  ApiFromModules,
  FilterApi,
  FunctionReference,
} from "convex/server";
import type * as accounts from "../accounts.js";
import type * as callers from "../callers.js";
import type * as catalogue from "../catalogue.js";
import type * as cleanup from "../cleanup.js";
import type * as corrections from "../corrections.js";
import type * as crons from "../crons.js";
import type * as deliveries from "../deliveries.js";
import type * as favorites from "../favorites.js";
import type * as files from "../files.js";
import type * as groups from "../groups.js";
import type * as jobs from "../jobs.js";
import type * as limits from "../limits.js";
import type * as links from "../links.js";
import type * as migration from "../migration.js";
import type * as model_accountTables from "../model/accountTables.js";
import type * as model_allowances from "../model/allowances.js";
import type * as model_announcements from "../model/announcements.js";
import type * as model_asking from "../model/asking.js";
import type * as model_audits from "../model/audits.js";
import type * as model_bans from "../model/bans.js";
import type * as model_catalogueTables from "../model/catalogueTables.js";
import type * as model_chain from "../model/chain.js";
import type * as model_copies from "../model/copies.js";
import type * as model_correctable from "../model/correctable.js";
import type * as model_erasing from "../model/erasing.js";
import type * as model_facets from "../model/facets.js";
import type * as model_figures from "../model/figures.js";
import type * as model_folding from "../model/folding.js";
import type * as model_groupTables from "../model/groupTables.js";
import type * as model_groups from "../model/groups.js";
import type * as model_hearts from "../model/hearts.js";
import type * as model_likeness from "../model/likeness.js";
import type * as model_makers from "../model/makers.js";
import type * as model_merging from "../model/merging.js";
import type * as model_migrationEntries from "../model/migrationEntries.js";
import type * as model_migrationFiles from "../model/migrationFiles.js";
import type * as model_migrationPeople from "../model/migrationPeople.js";
import type * as model_migrationTables from "../model/migrationTables.js";
import type * as model_migrationUndo from "../model/migrationUndo.js";
import type * as model_moving from "../model/moving.js";
import type * as model_names from "../model/names.js";
import type * as model_notices from "../model/notices.js";
import type * as model_origins from "../model/origins.js";
import type * as model_ownLists from "../model/ownLists.js";
import type * as model_people from "../model/people.js";
import type * as model_pieces from "../model/pieces.js";
import type * as model_playlistViews from "../model/playlistViews.js";
import type * as model_playlists from "../model/playlists.js";
import type * as model_preferences from "../model/preferences.js";
import type * as model_queue from "../model/queue.js";
import type * as model_quotas from "../model/quotas.js";
import type * as model_replays from "../model/replays.js";
import type * as model_scripts from "../model/scripts.js";
import type * as model_search from "../model/search.js";
import type * as model_sharingTables from "../model/sharingTables.js";
import type * as model_sight from "../model/sight.js";
import type * as model_tokens from "../model/tokens.js";
import type * as musicGeneration from "../musicGeneration.js";
import type * as notices from "../notices.js";
import type * as playlists from "../playlists.js";
import type * as privacy from "../privacy.js";
import type * as ragas from "../ragas.js";
import type * as refusals from "../refusals.js";
import type * as shares from "../shares.js";

/**
 * A utility for referencing Convex functions in your app's API.
 *
 * Usage:
 * ```js
 * const myFunctionReference = api.myModule.myFunction;
 * ```
 */
declare const fullApi: ApiFromModules<{
  accounts: typeof accounts;
  callers: typeof callers;
  catalogue: typeof catalogue;
  cleanup: typeof cleanup;
  corrections: typeof corrections;
  crons: typeof crons;
  deliveries: typeof deliveries;
  favorites: typeof favorites;
  files: typeof files;
  groups: typeof groups;
  jobs: typeof jobs;
  limits: typeof limits;
  links: typeof links;
  migration: typeof migration;
  "model/accountTables": typeof model_accountTables;
  "model/allowances": typeof model_allowances;
  "model/announcements": typeof model_announcements;
  "model/asking": typeof model_asking;
  "model/audits": typeof model_audits;
  "model/bans": typeof model_bans;
  "model/catalogueTables": typeof model_catalogueTables;
  "model/chain": typeof model_chain;
  "model/copies": typeof model_copies;
  "model/correctable": typeof model_correctable;
  "model/erasing": typeof model_erasing;
  "model/facets": typeof model_facets;
  "model/figures": typeof model_figures;
  "model/folding": typeof model_folding;
  "model/groupTables": typeof model_groupTables;
  "model/groups": typeof model_groups;
  "model/hearts": typeof model_hearts;
  "model/likeness": typeof model_likeness;
  "model/makers": typeof model_makers;
  "model/merging": typeof model_merging;
  "model/migrationEntries": typeof model_migrationEntries;
  "model/migrationFiles": typeof model_migrationFiles;
  "model/migrationPeople": typeof model_migrationPeople;
  "model/migrationTables": typeof model_migrationTables;
  "model/migrationUndo": typeof model_migrationUndo;
  "model/moving": typeof model_moving;
  "model/names": typeof model_names;
  "model/notices": typeof model_notices;
  "model/origins": typeof model_origins;
  "model/ownLists": typeof model_ownLists;
  "model/people": typeof model_people;
  "model/pieces": typeof model_pieces;
  "model/playlistViews": typeof model_playlistViews;
  "model/playlists": typeof model_playlists;
  "model/preferences": typeof model_preferences;
  "model/queue": typeof model_queue;
  "model/quotas": typeof model_quotas;
  "model/replays": typeof model_replays;
  "model/scripts": typeof model_scripts;
  "model/search": typeof model_search;
  "model/sharingTables": typeof model_sharingTables;
  "model/sight": typeof model_sight;
  "model/tokens": typeof model_tokens;
  musicGeneration: typeof musicGeneration;
  notices: typeof notices;
  playlists: typeof playlists;
  privacy: typeof privacy;
  ragas: typeof ragas;
  refusals: typeof refusals;
  shares: typeof shares;
}>;
export declare const api: FilterApi<
  typeof fullApi,
  FunctionReference<any, "public">
>;
export declare const internal: FilterApi<
  typeof fullApi,
  FunctionReference<any, "internal">
>;
