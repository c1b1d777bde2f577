/** `ada@clinic.example` as `a***@***.example`: enough to tell two apart while debugging, too little to write to. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf('@');
  const [first = ''] = address;
  return `${at > 0 ? first : ''}***@***${address.slice(Math.max(at, address.lastIndexOf('.')))}`;
}
