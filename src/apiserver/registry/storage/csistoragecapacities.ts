/** CSI storage capacities: how much room there is for volumes of a class. */
import type { storage } from '../../../api/index.ts'
import { path, type Place } from '../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { readQuantity } from '../amounts.ts'
import { follows, selector, unchanged } from '../checks.ts'
import { nodeSelectorWarnings } from '../core/node-labels.ts'
import { nameColumn, orUnset, printer, text } from '../printing.ts'

function validate(value: storage.CSIStorageCapacity, root: Place): void {
  selector(root.at('nodeTopology'), value.nodeTopology)
  follows(root.at('storageClassName'), value.storageClassName, dns1123Subdomain)
  const capacity = readQuantity(value.capacity)
  if (capacity && capacity.nanos < 0n) root.at('capacity').invalid(capacity.toString(), 'must be greater than or equal to 0')
}

export const csistoragecapacities: Strategy<storage.CSIStorageCapacity> = {
  validate,
  validateUpdate: (next, current, root) => {
    validate(next, root)
    unchanged(root.at('nodeTopology'), next.nodeTopology, current.nodeTopology)
    unchanged(root.at('storageClassName'), next.storageClassName, current.storageClassName)
  },
  warnings: ({ nodeTopology }) => nodeSelectorWarnings(path('nodeTopology'), nodeTopology),
  printer: printer<storage.CSIStorageCapacity>(
    nameColumn,
    text('StorageClassName', 'The class whose volumes find room.', (o) => o.storageClassName),
    text('Capacity', 'How much room there is.', (o) => orUnset(o.capacity)),
  ),
}
