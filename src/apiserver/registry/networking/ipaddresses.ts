/** IP addresses: which object has a service address. */
import type { networking } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Subdomain, pathSegmentName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { strictAddress } from '../addresses.ts'
import { follows, named, unchanged } from '../checks.ts'
import { ageColumn, nameColumn, orNone, printer, text } from '../printing.ts'

function validate({ spec }: networking.IPAddress, root: Place): void {
  const at = root.at('spec').at('parentRef')
  if (!spec.parentRef) return at.required()
  const { group, resource, namespace, name } = spec.parentRef
  if (group) follows(at.at('group'), group, dns1123Subdomain)
  named(at.at('resource'), resource, pathSegmentName)
  named(at.at('name'), name, pathSegmentName)
  if (namespace) follows(at.at('namespace'), namespace, pathSegmentName)
}

function parentText(parent: networking.ParentReference | undefined): string {
  if (!parent) return orNone(undefined)
  const resource = [parent.resource, parent.group].filter(Boolean).join('.').toLowerCase()
  return [resource, parent.namespace, parent.name].filter(Boolean).join('/')
}

export const ipaddresses: Strategy<networking.IPAddress> = {
  counted: false,
  // The name is the address, in its shortest form.
  validateName: strictAddress,
  validate,
  validateUpdate: (next, current, root) => unchanged(root.at('spec').at('parentRef'), next.spec.parentRef, current.spec.parentRef),
  selectableFields: (object) => ({ 'metadata.name': object.metadata.name ?? '' }),
  printer: printer<networking.IPAddress>(nameColumn, text('ParentRef', 'The object that has the address.', (o) => parentText(o.spec.parentRef)), ageColumn),
}
