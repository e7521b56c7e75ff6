import { expect, test } from 'vitest';
import { exclusions } from './recipes.ts';

test('the exclusions of a go.mod, in a block and alone', () => {
  const goMod = `module example.org/x

exclude (
	github.com/a/b v1.0.0 // why
	// a comment
	github.com/c/d/v2 v2.1.0
)

exclude github.com/e/f v0.0.1

require github.com/g/h v1.2.3
`;
  expect(exclusions(goMod)).toEqual(['github.com/a/b@v1.0.0', 'github.com/c/d/v2@v2.1.0', 'github.com/e/f@v0.0.1']);
});
