import { canonicalEmail, emailAddress } from '../../../src/healthcore/events/email';

const accepted = (text: string): boolean => emailAddress.safeParse(canonicalEmail(text)).success;

describe('an e-mail address', () => {
  it.each([
    ['Ada@Example.COM', 'ada@example.com'],
    [' ada@example.com\n', 'ada@example.com'],
    ['r&d@example.com', 'r&d@example.com'],
    ["o'hara+tag/x=y@example.co.uk", "o'hara+tag/x=y@example.co.uk"],
    ['!#$%&*?^_`{|}~@example.com', '!#$%&*?^_`{|}~@example.com'],
    ['ada@xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
    ['ada@XN--BCHER-KVA.example', 'ada@xn--bcher-kva.example'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@BÜCHER.Example', 'ada@xn--bcher-kva.example'],
    ['ada@bu\u0308cher.example', 'ada@xn--bcher-kva.example'],
    ['ada@example.xn--p1ai', 'ada@example.xn--p1ai'],
    ['ada@почта.рф', 'ada@xn--80a1acny.xn--p1ai'],
    ['1@2.example', '1@2.example'],
    [`${'a'.repeat(242)}@example.com`, `${'a'.repeat(242)}@example.com`],
  ])('%j is stored as %j', (given, stored) => {
    expect(canonicalEmail(given)).toBe(stored);
    expect(accepted(given)).toBe(true);
    expect(canonicalEmail(stored)).toBe(stored);
  });

  it.each([
    ['', 'nothing'],
    ['ada', 'no domain'],
    ['@example.com', 'no mailbox'],
    ['ada@localhost', 'no dot'],
    ['ada@1.2.3.4', 'an address of the network'],
    ['ada@example.123', 'a number at the end'],
    ['ada@-example.com', 'a hyphen before a part'],
    ['ada@example-.com', 'a hyphen after a part'],
    ['ada@example..com', 'an empty part'],
    ['a..b@example.com', 'two dots'],
    ['.a@example.com', 'a dot at the beginning'],
    ['a.@example.com', 'a dot at the end'],
    ['a b@example.com', 'a blank'],
    ['a@b@example.com', 'two at signs'],
    ['"a b"@example.com', 'quotes'],
    ['\u212Aate@example.com', 'a Kelvin sign in the mailbox'],
    ['ada@\u212Aelvin.example', 'a Kelvin sign in the domain'],
    ['ada@\uFF25xample.com', 'a letter of full width'],
    ['ada@\u017Fample.example', 'a long s'],
    ['adä@example.com', 'an umlaut in the mailbox'],
    ['ada\u200B@example.com', 'a zero-width space in the mailbox'],
    ['ada@exa\u200Bmple.com', 'a zero-width space in the domain'],
    ['ada@exa\u00ADmple.com', 'a soft hyphen in the domain'],
    ['ada@exam\u2024ple.com', 'another kind of dot'],
    ['ada@xn--zzzzzzzzzzzzz\u00E4.example', 'letters and punycode in one part'],
    [`${'a'.repeat(243)}@example.com`, 'too many characters'],
    [`ada@${'ä'.repeat(100)}.example`, 'a part that is too long as punycode'],
    [`ada@${'ä'.repeat(90_000)}.example`, 'far too many characters'],
  ])('%j is refused: %s', (given) => {
    expect(accepted(given)).toBe(false);
  });

  it('never becomes another one that somebody else may have', () => {
    expect(canonicalEmail('\u212Aate@example.com')).not.toBe('kate@example.com');
    expect(canonicalEmail('ada@\u212Aelvin.example')).not.toBe('ada@kelvin.example');
    expect(canonicalEmail('\u0130da@example.com')).toBe('\u0130da@example.com');
  });
});
