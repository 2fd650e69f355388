/** Controller revisions: what a workload's template was, kept so that it can be gone back to. */
import type { apps } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { controllerOf } from '../../../machinery/meta.ts'
import type { Strategy } from '../../strategy.ts'
import { notNegative, unchanged } from '../checks.ts'
import { ageColumn, nameColumn, orNone, printer, text } from '../printing.ts'

const revisionPrinter = printer<apps.ControllerRevision>(
  nameColumn,
  text('Controller', 'The workload it belongs to.', controllerText),
  text('Revision', 'Its number: higher is newer.', (o) => o.revision),
  ageColumn,
)

/** `deployment.apps/web` */
function controllerText(revision: apps.ControllerRevision): string {
  const owner = controllerOf(revision)
  if (!owner) return orNone(undefined)
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`
}

function validate(revision: apps.ControllerRevision, root: Place): void {
  notNegative(root.at('revision'), revision.revision)
  if (revision.data === null) root.at('data').required('data is mandatory')
}

export const controllerrevisions: Strategy<apps.ControllerRevision> = {
  validate,
  validateUpdate: (next, current, root) => {
    validate(next, root)
    unchanged(root.at('data'), next.data, current.data)
  },
  printer: revisionPrinter,
}
