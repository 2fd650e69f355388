/** CSI nodes: which drivers a node has. */
import type { storage } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, driverName, follows, forEach, notNegative } from '../checks.ts'
import { ageColumn, integer, nameColumn, printer } from '../printing.ts'

function drivers(at: Place, list: readonly storage.CSINodeDriver[]): void {
  forEach(at, list, (driver, place) => {
    driverName(place.at('name'), driver.name)
    if (!driver.nodeID) place.at('nodeID').required()
    if (driver.nodeID.length > 256) place.at('nodeID').invalid(driver.nodeID, 'must be 256 characters or less')
    notNegative(place.at('allocatable').at('count'), driver.allocatable?.count)
    for (const [i, key] of driver.topologyKeys.entries()) {
      if (!key) place.required()
      if (driver.topologyKeys.indexOf(key) < i) place.duplicate(key)
      follows(place, key, qualifiedName)
    }
  })
  distinct(at, list, (driver) => driver.name, 'name')
}

/** A driver comes and goes; while it is there only the number of volumes it can take changes. */
function validateUpdate(next: storage.CSINode, current: storage.CSINode, root: Place): void {
  const at = root.at('spec').at('drivers')
  drivers(at, next.spec.drivers)
  for (const driver of next.spec.drivers) {
    const before = current.spec.drivers.find(({ name }) => name === driver.name)
    const { allocatable: _a, ...is } = driver
    const { allocatable: _b, ...was } = before ?? driver
    if (!deepEqual(is, was)) at.invalid(is, 'field is immutable')
  }
}

export const csinodes: Strategy<storage.CSINode> = {
  counted: false,
  unconditionalUpdate: false,
  validate: (node, root) => drivers(root.at('spec').at('drivers'), node.spec.drivers),
  validateUpdate,
  printer: printer<storage.CSINode>(nameColumn, integer('Drivers', 'How many drivers the node has.', (o) => o.spec.drivers.length), ageColumn),
}
