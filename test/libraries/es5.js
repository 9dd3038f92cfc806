/* What the libraries want of later standards than ES5, from core-js: the built-in objects that
 * Duktape and MuJS lack. Promise is the platform's. */
import 'core-js/es/map';
import 'core-js/es/set';
import 'core-js/es/weak-map';
import 'core-js/es/weak-set';
import 'core-js/es/array';
import 'core-js/es/string';
import 'core-js/es/object/assign';
import 'core-js/es/object/entries';
import 'core-js/es/object/from-entries';
import 'core-js/es/object/values';
import 'core-js/es/number';
import 'core-js/es/math';
