/** Deployments. */
import type { apps } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, containersColumn, imagesColumn, nameColumn, printer, selectorColumn, text } from '../printing.ts'

const deploymentPrinter = printer<apps.Deployment>(
  nameColumn,
  text('Ready', 'Pods that are ready, of those wanted.', (o) => `${o.status.readyReplicas ?? 0}/${o.spec.replicas ?? 0}`),
  text('Up-to-date', 'Pods that run the present template.', (o) => o.status.updatedReplicas ?? 0),
  text('Available', 'Pods that have been ready for at least minReadySeconds.', (o) => o.status.availableReplicas ?? 0),
  ageColumn,
  containersColumn,
  imagesColumn,
  selectorColumn,
)

export const deployments: Strategy<apps.Deployment> = { printer: deploymentPrinter }
