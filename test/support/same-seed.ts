/**
 * In CI property-based tests begin with one seed, so that the same commit has the same answer twice and a failure belongs to
 * the change that brought it. Elsewhere each run has a seed of its own, and tells it when it finds something.
 */
import { configureGlobal } from 'fast-check'

configureGlobal({ seed: 1 })
