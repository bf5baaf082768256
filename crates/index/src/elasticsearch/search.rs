//! Questions, translated into the language of the server.
