/** Names of attributes and capacities of devices (an identifier, of a domain or of the driver itself), and of pools. */
import type { Place } from '../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import { driverName, follows } from '../checks.ts'

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/
const longest = 32

function simple(at: Place, name: string): void {
  if (name.length > longest) at.tooLong(longest)
  if (!identifier.test(name)) at.invalid(name, "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')")
}

/** `model` or `example.com/model`. */
export function attributeName(at: Place, name: string): void {
  const [domain = '', own = '', ...rest] = name.split('/')
  if (!name.includes('/')) return simple(at, name)
  if (rest.length > 0) return at.invalid(name, 'must not contain more than one slash')
  if (domain === '') at.invalid('', 'the domain must not be empty')
  else driverName(at, domain)
  if (own === '') at.invalid('', 'the name must not be empty')
  else simple(at, own)
}

/** `example.com/model`: in claims, which are for devices of any driver. */
export function fullName(at: Place, name: string): void {
  attributeName(at, name)
  if (!name.includes('/')) at.invalid(name, 'a fully qualified name must be a domain and a name separated by a slash')
}

/** `a/b.example.com`: names of domains, with slashes between them. */
export function poolName(at: Place, name: string): void {
  if (!name) return at.required()
  if (name.length > 253) at.tooLong(253)
  for (const part of name.split('/')) follows(at, part, dns1123Subdomain)
}
