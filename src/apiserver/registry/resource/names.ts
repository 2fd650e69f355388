/** Names of attributes and capacities of devices: an identifier, of a domain or of the driver itself. */
import type { Path } from '../../../machinery/field.ts'
import { driverName, type Check } from '../checks.ts'

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/
const longest = 32

function* simple(at: Path, name: string): Check {
  if (name.length > longest) yield at.tooLong(longest)
  if (!identifier.test(name)) yield at.invalid(name, "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')")
}

/** `model` or `example.com/model`. */
export function* attributeName(at: Path, name: string): Check {
  const [domain = '', own = '', ...rest] = name.split('/')
  if (!name.includes('/')) return yield* simple(at, name)
  if (rest.length > 0) return yield at.invalid(name, 'must not contain more than one slash')
  if (domain === '') yield at.invalid('', 'the domain must not be empty')
  else yield* driverName(at, domain)
  if (own === '') yield at.invalid('', 'the name must not be empty')
  else yield* simple(at, own)
}

/** `example.com/model`: in claims, which are for devices of any driver. */
export function* fullName(at: Path, name: string): Check {
  yield* attributeName(at, name)
  if (!name.includes('/')) yield at.invalid(name, 'a fully qualified name must be a domain and a name separated by a slash')
}
