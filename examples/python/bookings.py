"""Counts the bookings of each practitioner: each event once, however often Kafka delivers it.

The three rules of docs/other-languages.md, in one file:
1. validate each message with the published JSON Schema, and put aside what does not fit;
2. note the event's id in the transaction of its effect, so that a second delivery changes nothing;
3. tell Kafka only afterwards.
"""

import json
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, Message, Producer
from jsonschema import Draft202012Validator, ValidationError

BROKERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:29092")
PREFIX = os.environ.get("KAFKA_TOPIC_PREFIX", "healthcore")
GROUP = os.environ.get("CONSUMER_GROUP", f"{PREFIX}.bookings-python")
DATABASE = os.environ.get("BOOKINGS_DATABASE", "bookings.sqlite")
SCHEMA = Path(__file__).parents[2] / "docs/schemas/appointment.booked.json"

validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def main() -> None:
    database = sqlite3.connect(DATABASE, isolation_level=None)
    database.execute("CREATE TABLE IF NOT EXISTS inbox (event_id TEXT PRIMARY KEY) WITHOUT ROWID")
    database.execute("CREATE TABLE IF NOT EXISTS bookings (practitioner TEXT PRIMARY KEY, count INTEGER NOT NULL)")
    consumer = Consumer(
        {
            "bootstrap.servers": BROKERS,
            "group.id": GROUP,
            "auto.offset.reset": "earliest",
            # Offsets are committed in the background, but only those that have been stored below.
            "enable.auto.offset.store": False,
        }
    )
    dead_letters = Producer({"bootstrap.servers": BROKERS, "enable.idempotence": True})
    stopping = []
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda number, _frame: stopping.append(number))
    consumer.subscribe([f"{PREFIX}.appointment.booked"])
    try:
        while not stopping:
            message = consumer.poll(0.5)
            if message is None:
                continue
            if message.error():
                # No broker, no topic yet: the client goes on by itself.
                print(message.error(), file=sys.stderr)
                continue
            settle(database, dead_letters, message)
            try:
                consumer.store_offsets(message)
            except KafkaException:
                pass  # The partition is another consumer's by now; the event is noted, so its copy does no harm.
    finally:
        consumer.close()


def settle(database: sqlite3.Connection, dead_letters: Producer, message: Message) -> None:
    """Returns when the message is done with: processed, known before, or an acknowledged dead letter."""
    try:
        event = json.loads(message.value() or b"")
        validator.validate(event)
    except (ValueError, ValidationError) as error:
        put_aside(dead_letters, message, type(error).__name__)
        return
    print(f"{event['event_id']} {'counted' if process(database, event) else 'known'}", flush=True)


def process(database: sqlite3.Connection, event: dict) -> bool:
    """Has the effect and notes the event, both or neither; False when it was noted before."""
    with transaction(database):
        noted = database.execute("INSERT OR IGNORE INTO inbox VALUES (?)", (event["event_id"],))
        if noted.rowcount == 0:
            return False
        database.execute(
            "INSERT INTO bookings VALUES (?, 1) ON CONFLICT (practitioner) DO UPDATE SET count = count + 1",
            (event["data"]["practitioner"],),
        )
        return True


class transaction:
    """BEGIN … COMMIT, or ROLLBACK when something is raised."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database

    def __enter__(self) -> None:
        self.database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self.database.execute("COMMIT" if kind is None else "ROLLBACK")


def put_aside(dead_letters: Producer, message: Message, reason: str) -> None:
    """To the dead-letter topic, as it came. The reason is a class of errors: a value could be a patient's."""
    failures = []
    headers = {
        "dlq.original.topic": message.topic(),
        "dlq.original.partition": str(message.partition()),
        "dlq.original.offset": str(message.offset()),
        "dlq.original.timestamp": str(message.timestamp()[1]),
        "dlq.consumer.group": GROUP,
        "dlq.attempts": "1",
        "dlq.error.class": reason,
        "dlq.error.message": "the message does not fit its schema",
        "dlq.failed.at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    dead_letters.produce(
        f"{PREFIX}.dead_letter_queue",
        key=message.key(),
        value=message.value(),
        headers=[*(message.headers() or []), *headers.items()],
        on_delivery=lambda error, _message: failures.append(error) if error else None,
    )
    if dead_letters.flush(60) > 0 or failures:
        sys.exit("the dead-letter topic cannot be written; the message will be read again")
    print(f"{message.topic()}/{message.partition()}@{message.offset()} put aside: {reason}", flush=True)


if __name__ == "__main__":
    main()
