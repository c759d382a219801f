/** Fixtures: what Python's TensorFlow computed, and models that are closed when their test has ended. */
import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { type LoadOptions, SavedModel } from '../../lib/index.js';
import { fixture } from '../saved-model/models.js';
import type { JsonTensor } from './json-tensor.js';

export interface Case {
  tags?: string[];
  signature: string;
  inputs: Record<string, JsonTensor>;
  outputs?: Record<string, JsonTensor>;
  error?: { code: string; op?: string };
}

/** A file of a fixture's folder, parsed. */
export function fixtureJson<T>(name: string, file = 'expected.json'): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}/${file}`, import.meta.url), 'utf8')) as T;
}

/** The cases of a fixture by the tags that they are for, in order. */
export function casesByTags(name: string): Map<string, Case[]> {
  const { cases } = fixtureJson<{ cases: Case[] }>(name);
  const groups = new Map<string, Case[]>();
  for (const entry of cases) {
    const tags = (entry.tags ?? ['serve']).join();
    groups.set(tags, [...(groups.get(tags) ?? []), entry]);
  }
  return groups;
}

/** A fixture's model for one test. */
export async function openFixture(name: string, options?: LoadOptions): Promise<SavedModel> {
  const model = await SavedModel.load(fixture(name), options);
  onTestFinished(() => model.close({ cancel: true }));
  return model;
}
