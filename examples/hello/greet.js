'use strict';

module.exports = function (greeting, name) {
    return (greeting || 'Hello') + ', ' + (name || 'world') + '!';
};
