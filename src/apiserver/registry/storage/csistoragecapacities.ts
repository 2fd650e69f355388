/** CSI storage capacities: how much room there is for volumes of a class. */
import type { storage } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { readQuantity } from '../amounts.ts'
import { follows, selector, unchanged, type Check } from '../checks.ts'
import { nameColumn, orUnset, printer, text } from '../printing.ts'

function* validate(value: storage.CSIStorageCapacity): Check {
  yield* selector(path('nodeTopology'), value.nodeTopology)
  yield* follows(path('storageClassName'), value.storageClassName, dns1123Subdomain)
  const capacity = readQuantity(value.capacity)
  if (capacity && capacity.nanos < 0n) yield path('capacity').invalid(capacity.toString(), 'must be greater than or equal to 0')
}

export const csistoragecapacities: Strategy<storage.CSIStorageCapacity> = {
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current) => [
    ...validate(next),
    ...unchanged(path('nodeTopology'), next.nodeTopology, current.nodeTopology),
    ...unchanged(path('storageClassName'), next.storageClassName, current.storageClassName),
  ],
  printer: printer<storage.CSIStorageCapacity>(
    nameColumn,
    text('StorageClassName', 'The class whose volumes find room.', (o) => o.storageClassName),
    text('Capacity', 'How much room there is.', (o) => orUnset(o.capacity)),
  ),
}
