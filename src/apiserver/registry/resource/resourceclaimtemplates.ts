/** Templates of claims for devices. */
import type { dra } from '../../../api/index.ts'
import { validateAnnotations, validateLabels } from '../../../machinery/objectmeta.ts'
import type { Strategy, StrategyEnvironment } from '../../strategy.ts'
import { unchanged } from '../checks.ts'
import { within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer } from '../printing.ts'
import { claimDefaults, claimSpec } from './claims.ts'
import { claimReady } from './expressions.ts'
import { adminRequests } from './permissions.ts'

export const resourceclaimtemplates = ({ client }: StrategyEnvironment): Strategy<dra.ResourceClaimTemplate> => ({
  counted: false,
  default: (template) => within(template, 'spec', (spec) => within(spec, 'spec', claimDefaults)),
  ready: ({ spec: { spec } }) => claimReady(spec),
  validate: ({ spec: { metadata, spec } }, root) => {
    const at = root.at('spec')
    validateAnnotations(metadata.annotations, at.at('metadata').at('annotations'))
    validateLabels(metadata.labels, at.at('metadata').at('labels'))
    claimSpec(at.at('spec'), spec)
  },
  validateUpdate: (next, current, root) => unchanged(root.at('spec'), next.spec, current.spec),
  consult: (next, current) => (current ? undefined : adminRequests(client, next.spec.spec.devices.requests, next.metadata.namespace ?? '')),
  printer: printer<dra.ResourceClaimTemplate>(nameColumn, ageColumn),
})
