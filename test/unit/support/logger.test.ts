import { captureLogger } from '../../support/logger';

it('a captured log holds every line as printed and as an object', () => {
  const { logger, lines, entries } = captureLogger();
  logger.info({ patient_id: '7' }, 'saved');
  logger.trace('detail');
  expect(lines()).toHaveLength(2);
  expect(lines()[0]).toContain('"patient_id":"7"');
  expect(entries()[1]).toMatchObject({ msg: 'detail' });
});
