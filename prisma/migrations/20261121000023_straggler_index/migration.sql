-- The stragglers' index begins with the transaction instead of the lane. A look-up names both, so it costs the same; but
-- new entries now all belong at the index's end, where Postgres puts them without a search from the root: in a log of
-- 1.5 million rows that is most of what keeping this index costs a write.
DROP INDEX "signalbox"."outbox_straggler";
CREATE INDEX "outbox_straggler" ON "signalbox"."outbox" ("txid", "lane", "position");
