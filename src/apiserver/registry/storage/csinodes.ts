/** CSI nodes: which drivers a node has. */
import type { storage } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, forEach, named, notNegative, type Check } from '../checks.ts'
import { ageColumn, integer, nameColumn, printer } from '../printing.ts'

function* drivers(at: Path, list: readonly storage.CSINodeDriver[]): Check {
  yield* forEach(at, list, function* (driver, place) {
    yield* named(place.at('name'), driver.name)
    yield* named(place.at('nodeID'), driver.nodeID)
    if (driver.nodeID.length > 192) yield place.at('nodeID').tooLong(192)
    yield* notNegative(place.at('allocatable').at('count'), driver.allocatable?.count)
  })
  yield* distinct(at, list, (driver) => driver.name, 'name')
}

export const csinodes: Strategy<storage.CSINode> = {
  counted: false,
  unconditionalUpdate: false,
  validate: (node) => [...drivers(path('spec').at('drivers'), node.spec.drivers)],
  printer: printer<storage.CSINode>(nameColumn, integer('Drivers', 'How many drivers the node has.', (o) => o.spec.drivers.length), ageColumn),
}
