import { contextKeys } from '../adapter/statements/contextComment';
import { contextSetting } from '../adapter/statements/contextQuery';

/*
 * How a trigger's function comes by the context of its statement.
 *
 * A prepared statement has it in a setting that came before it (src/outbox/prisma/adapter/statements), and no comment. Any other one
 * has it in the comment that contextComments writes. Both have all keys, in sqlcommenter's order; the setting only
 * values that need no decoding, and the comment mostly. So they are recognised as a whole and cut at their quotes:
 * 7 µs, where a look-up of each key, in a function of its own, took 27. Whatever is not of exactly this form is left to
 * signalbox.statement_context, which reads any comment and says the same of this one.
 *
 * Each expression of PL/pgSQL is prepared anew in every transaction, so there are two on the way of the setting.
 */

/** Longest comment of this form, above what contextComments writes. */
const longest = 2000;

/** `!` escapes the underscores, which stand for any character elsewhere in a pattern. */
const form = contextKeys
  .map((key) => `${key.replaceAll('_', '!_')}=''${key === 'source' ? '_' : ''}%''`)
  .join(',');

/** Cut at the quotes there is a key before each value, and the end behind the last one. */
const pieces = 2 * contextKeys.length + 1;

/** A percent sign would have to be decoded, and a backslash escapes a quote. */
const plain = `strpos(signalbox_comment, '%') = 0 AND strpos(signalbox_comment, chr(92)) = 0`;

/**
 * The variable of a trigger's function. A statement's own comment counts before the setting, which may be left from an
 * earlier statement of the transaction.
 */
export const declareContext = `signalbox_context text[] := CASE WHEN right(current_query(), 2) <> '*/'
    THEN string_to_array(current_setting('${contextSetting}', true), '''', '') END;`;

/**
 * The first statement of a trigger's function. It ends the function for a statement of the engine "middleware" and for
 * one that is to have no events; a mark alone, which is how Prisma writes it, is recognised without reading on. A colon
 * is so common in names ("user:42") that it is decoded here.
 */
export const completeContext = `IF cardinality(signalbox_context) IS DISTINCT FROM ${pieces} THEN
    DECLARE
      signalbox_comment text := replace(split_part(current_query(), '/*', -1), '%3A', ':');
    BEGIN
      signalbox_context := CASE WHEN signalbox_comment LIKE '${form}*/' ESCAPE '!'
        AND ${plain} AND octet_length(signalbox_comment) <= ${longest}
        THEN string_to_array(signalbox_comment, '''', '') END;
      IF cardinality(signalbox_context) IS DISTINCT FROM ${pieces} THEN
        -- The engine "middleware" captures what this statement does to the table that it names. What foreign keys and
        -- other triggers do in its course is captured here. Of a statement under withoutCapture nothing is.
        IF signalbox_comment = 'signalbox=''middleware.' || TG_TABLE_NAME || '''*/' AND pg_trigger_depth() = 1
          OR signalbox_comment = 'signalbox=''none''*/' THEN
          RETURN NEW;
        END IF;
        signalbox_context := signalbox.statement_context(current_query());
        IF signalbox_context[1] = 'middleware.' || TG_TABLE_NAME AND pg_trigger_depth() = 1
          OR signalbox_context[1] = 'none' THEN
          RETURN NEW;
        END IF;
      END IF;
    END;
  END IF;`;

/** The context in the order of the outbox's columns: source, correlation id, causation id, actor, traceparent. */
export const contextValues = (['source', 'correlation_id', 'causation_id', 'actor', 'traceparent'] as const)
  .map((key) => `signalbox_context[${2 * contextKeys.indexOf(key) + 2}]`)
  .join(', ');
