import { registerHooks } from 'node:module';

/* Lets node run the sources as they are: `./x.js` in them is `./x.ts`. For processes that tests start. */

registerHooks({
  resolve: (specifier, context, next) => {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!/^\.{1,2}\/.*\.js$/.test(specifier)) throw error;
      return next(specifier.replace(/\.js$/, '.ts'), context);
    }
  },
});
