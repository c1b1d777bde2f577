/** `ada@clinic.example` as `a***@***.example`: enough to tell two apart while debugging, too little to write to. */
export function maskAddress(address: string): string {
  const [, first = '', last = ''] = /^([^@])?[^@]*@?.*?(\.[^.@]*)?$/.exec(address) ?? [];
  return `${first}***@***${last}`;
}
