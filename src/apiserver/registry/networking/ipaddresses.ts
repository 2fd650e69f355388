/** IP addresses: which object has a service address. */
import type { networking } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { ipAddress } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { unchanged, type Check } from '../checks.ts'
import { addressBits, addressText } from '../core/ip-range.ts'
import { ageColumn, nameColumn, orNone, printer, text } from '../printing.ts'

/** The name is the address, in its shortest form. */
function nameProblems(name: string): readonly string[] {
  if (ipAddress(name).length > 0) return ['must be a valid IP address']
  return addressText(addressBits(name), name.includes(':') ? 'IPv6' : 'IPv4') === name ? [] : ['must be in canonical form']
}

function* validate({ spec }: networking.IPAddress): Check {
  const at = path('spec').at('parentRef')
  if (!spec.parentRef) return yield at.required()
  if (!spec.parentRef.resource) yield at.at('resource').required()
  if (!spec.parentRef.name) yield at.at('name').required()
}

function parentText(parent: networking.ParentReference | undefined): string {
  if (!parent) return orNone(undefined)
  const resource = parent.group ? `${parent.resource}.${parent.group}` : parent.resource
  return [resource, parent.namespace, parent.name].filter(Boolean).join('/')
}

export const ipaddresses: Strategy<networking.IPAddress> = {
  counted: false,
  validateName: nameProblems,
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current) => [...validate(next), ...unchanged(path('spec').at('parentRef'), next.spec.parentRef, current.spec.parentRef)],
  selectableFields: (object) => ({ 'metadata.name': object.metadata.name ?? '' }),
  printer: printer<networking.IPAddress>(nameColumn, text('ParentRef', 'The object that has the address.', (o) => parentText(o.spec.parentRef)), ageColumn),
}
