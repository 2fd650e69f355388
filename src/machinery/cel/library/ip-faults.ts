/** Why a text is no IP address or no CIDR, in the words of Go's netip. */

const at = (why: string, rest: string): string => `${why} (at ${JSON.stringify(rest)})`

function fourFault(text: string): string | undefined {
  let field = ''
  let dots = 0
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string
    if (/\d/.test(character)) {
      if (field === '0') return 'IPv4 field has octet with leading zero'
      field += character
      if (Number(field) > 255) return 'IPv4 field has value >255'
    } else if (character !== '.') return at('unexpected character', text.slice(i))
    else {
      if (field === '' || i === text.length - 1) return at('IPv4 field must have at least one digit', text.slice(i))
      if (dots++ === 3) return 'IPv4 address too long'
      field = ''
    }
  }
  return dots < 3 ? 'IPv4 address too short' : undefined
}

function sixFault(text: string): string {
  const zone = text.indexOf('%')
  if (zone === text.length - 1) return 'zone must be a non-empty string'
  let rest = zone < 0 ? text : text.slice(0, zone)
  let gap = rest.startsWith('::')
  if (gap) rest = rest.slice(2)
  let fields = 0
  while (fields < 8 && rest !== '') {
    const { length } = /^[\da-f]*/i.exec(rest)?.[0] ?? ''
    if (length > 4) return at('each group must have 4 or less digits', rest)
    if (length === 0) return at('each colon-separated field must have at least one digit', rest)
    if (rest[length] === '.') {
      if (!gap && fields !== 6) return at('embedded IPv4 address must replace the final 2 fields of the address', rest)
      if (fields > 6) return at('too many hex fields to fit an embedded IPv4 at the end of the address', rest)
      const inner = fourFault(rest)
      if (inner !== undefined) return inner
      fields += 2
      rest = ''
      break
    }
    fields++
    rest = rest.slice(length)
    if (rest === '') break
    if (rest[0] !== ':') return at('unexpected character, want colon', rest)
    if (rest === ':') return at('colon must be followed by more characters', rest)
    rest = rest.slice(1)
    if (rest[0] !== ':') continue
    if (gap) return at('multiple :: in address', rest)
    gap = true
    rest = rest.slice(1)
  }
  if (rest !== '') return at('trailing garbage after address', rest)
  return fields < 8 ? 'address string too short' : 'the :: must expand to at least one field of zeros'
}

/** Of a text that is no address. */
export function addressFault(text: string): string {
  const [first] = /[.:%]/.exec(text) ?? []
  const why = first === '.' ? fourFault(text) : first === ':' ? sixFault(text) : first === '%' ? 'missing IPv6 address' : undefined
  return `ParseAddr(${JSON.stringify(text)}): ${why ?? 'unable to parse IP'}`
}

const longestNumber = 2n ** 63n - 1n

/** What is wrong with the bits of a CIDR whose address has `width` of them. */
export function bitsFault(bits: string, width: number): string | undefined {
  if (!/^(?:\d|[1-9]\d*)$/.test(bits) || bits.length > 19 || BigInt(bits) > longestNumber) return `bad bits after slash: ${JSON.stringify(bits)}`
  return Number(bits) > width ? 'prefix length out of range' : undefined
}
