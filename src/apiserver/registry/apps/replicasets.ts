/** Replica sets. */
import type { apps } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, containersColumn, imagesColumn, integer, nameColumn, printer, selectorColumn } from '../printing.ts'

const replicaSetPrinter = printer<apps.ReplicaSet>(
  nameColumn,
  integer('Desired', 'Pods that are wanted.', (o) => o.spec.replicas ?? 0),
  integer('Current', 'Pods that exist.', (o) => o.status.replicas),
  integer('Ready', 'Pods that are ready.', (o) => o.status.readyReplicas ?? 0),
  ageColumn,
  containersColumn,
  imagesColumn,
  selectorColumn,
)

export const replicasets: Strategy<apps.ReplicaSet> = { printer: replicaSetPrinter }
