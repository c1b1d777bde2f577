/*
 * What an application does with Prisma, and the events that this means. Each fixture has its own client (db) and what it
 * alone does (extra). Prints one line of JSON: the events that are expected, in the order of each aggregate.
 */
import { withContext } from 'signalbox';
import { prisma } from './db';
import { extra } from './extra';

export interface Expected {
  readonly type: string;
  readonly id: string;
  readonly actor?: string;
  readonly correlationId?: string;
}

const expected: Expected[] = [];
const expect = (type: string, id: string | number, actor?: string): void => {
  expected.push({ type, id: String(id), ...(actor === undefined ? {} : { actor }) });
};

async function work(): Promise<void> {
  const ada = await withContext({ actor: 'auth0|ada' }, () =>
    prisma.user.create({
      data: { email: 'ada@example.com', orders: { create: [{ total: '9.50' }] } },
      include: { orders: true },
    }),
  );
  expect('user.created', ada.id, 'auth0|ada');
  expect('order.created', ada.orders[0]!.id, 'auth0|ada');

  const upsert = {
    where: { email: 'bob@example.com' },
    create: { email: 'bob@example.com' },
    update: { name: 'Bob' },
  };
  const bob = await prisma.user.upsert(upsert);
  expect('user.created', bob.id);
  await prisma.user.upsert(upsert);
  expect('user.updated', bob.id);
  // Nothing changes: no event.
  await prisma.user.update({ where: { id: bob.id }, data: { name: 'Bob' } });

  await prisma.order.createMany({
    data: [
      { total: 1, userId: bob.id },
      { total: 2, userId: bob.id },
    ],
  });
  const orders = await prisma.order.findMany({ where: { userId: bob.id }, orderBy: { total: 'asc' } });
  for (const { id } of orders) expect('order.created', id);
  await prisma.order.updateMany({ where: { userId: bob.id }, data: { status: 'PAID' } });
  for (const { id } of orders) expect('order.paid', id);

  const [first, second] = orders;
  await prisma.$transaction([
    prisma.order.update({ where: { id: first!.id }, data: { total: 3 } }),
    prisma.order.delete({ where: { id: second!.id } }),
  ]);
  expect('order.updated', first!.id);
  expect('order.deleted', second!.id);

  await prisma
    .$transaction(async (tx) => {
      await tx.user.create({ data: { email: 'nobody@example.com' } });
      throw new Error('taken back');
    })
    .catch((error: Error) => {
      if (error.message !== 'taken back') throw error;
    });
  await prisma.$transaction(async (tx) => {
    await tx.order.update({ where: { id: first!.id }, data: { total: 4 } });
  });
  expect('order.updated', first!.id);

  for (const event of await extra()) expected.push(event);

  // The foreign key takes Bob's order along.
  await prisma.user.delete({ where: { id: bob.id } });
  expect('user.deleted', bob.id);
  expect('order.deleted', first!.id);
}

work()
  .then(() => {
    console.log(JSON.stringify(expected));
    return prisma.$disconnect();
  })
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
