/** IP addresses: which object has a service address. */
import type { networking } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { dns1123Subdomain, pathSegmentName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { strictAddress } from '../addresses.ts'
import { follows, named, unchanged, type Check } from '../checks.ts'
import { ageColumn, nameColumn, orNone, printer, text } from '../printing.ts'

function* validate({ spec }: networking.IPAddress): Check {
  const at = path('spec').at('parentRef')
  if (!spec.parentRef) return yield at.required()
  const { group, resource, namespace, name } = spec.parentRef
  if (group) yield* follows(at.at('group'), group, dns1123Subdomain)
  yield* named(at.at('resource'), resource, pathSegmentName)
  yield* named(at.at('name'), name, pathSegmentName)
  if (namespace) yield* follows(at.at('namespace'), namespace, pathSegmentName)
}

function parentText(parent: networking.ParentReference | undefined): string {
  if (!parent) return orNone(undefined)
  const resource = parent.group ? `${parent.resource}.${parent.group}` : parent.resource
  return [resource, parent.namespace, parent.name].filter(Boolean).join('/')
}

export const ipaddresses: Strategy<networking.IPAddress> = {
  counted: false,
  // The name is the address, in its shortest form.
  validateName: strictAddress,
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current) => [...unchanged(path('spec').at('parentRef'), next.spec.parentRef, current.spec.parentRef)],
  selectableFields: (object) => ({ 'metadata.name': object.metadata.name ?? '' }),
  printer: printer<networking.IPAddress>(nameColumn, text('ParentRef', 'The object that has the address.', (o) => parentText(o.spec.parentRef)), ageColumn),
}
